import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { cloud } from '../../api/cloud.ts';
import { keys } from '../../api/keys.ts';
import { useChosenModel } from '../model/chosen-model.ts';
import type { Parameters } from './catalogue.ts';
import { checkParameters, type ModelFacts, type ParameterCheck } from './check-parameters.ts';

/** GPT-J's own figures, until the server has said those of the served model. */
const GPT_J: ModelFacts = { contextLength: 2048, vocabSize: 50_400 };

const FACTS_STALE_MS = 60_000;

/** The check of parameters at every key, by the server's own code. `promptTokens`: about how long the prompt is. */
export function useParameterCheck(parameters: Parameters, promptTokens: number): ParameterCheck {
  const model = useChosenModel()?.name;
  const { data: engine } = useQuery({
    queryKey: [...keys.engine, model ?? null],
    queryFn: ({ signal }) => cloud().engine.get({ ...(model === undefined ? {} : { model }), signal }),
    staleTime: FACTS_STALE_MS,
  });
  const contextLength = engine?.model.context ?? GPT_J.contextLength;
  const vocabSize = engine?.model.vocabulary ?? GPT_J.vocabSize;
  return useMemo(
    () => checkParameters(parameters, { contextLength, vocabSize }, Math.max(1, promptTokens)),
    [parameters, contextLength, vocabSize, promptTokens],
  );
}
