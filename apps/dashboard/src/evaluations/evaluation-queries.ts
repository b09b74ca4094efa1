import type { DocumentChangeOptions, EvaluationDocumentOptions } from '@gptj-cloud/sdk';
import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { cloud } from '../api/cloud.ts';
import { keys } from '../api/keys.ts';

export const EVALUATIONS_PER_PAGE = 20;
export const DOCUMENTS_PER_PAGE = 20;

export const evaluationsQuery = (skip: number) =>
  queryOptions({
    queryKey: [...keys.evaluations, 'list', skip],
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) => cloud().evaluations.list({ signal, skip, limit: EVALUATIONS_PER_PAGE }),
  });

/** The latest ones, to choose from. */
export const choicesQuery = queryOptions({
  queryKey: [...keys.evaluations, 'choices'],
  queryFn: ({ signal }) => cloud().evaluations.list({ signal, limit: 100 }),
});

export const comparisonQuery = (before: string, after: string) =>
  queryOptions({
    queryKey: [...keys.evaluations, 'comparison', before, after],
    queryFn: ({ signal }) => cloud().evaluations.compare(before, after, { signal }),
  });

export const changesQuery = (before: string, after: string, options: DocumentChangeOptions) =>
  queryOptions({
    queryKey: [...keys.evaluations, 'changes', before, after, options],
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) =>
      cloud().evaluations.changes(before, after, { ...options, limit: DOCUMENTS_PER_PAGE, signal }),
  });

export const evaluationQuery = (id: string) =>
  queryOptions({
    queryKey: [...keys.evaluations, 'one', id],
    queryFn: ({ signal }) => cloud().evaluations.get(id, { signal }),
  });

export const documentsQuery = (id: string, options: EvaluationDocumentOptions) =>
  queryOptions({
    queryKey: [...keys.evaluations, 'documents', id, options],
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) => cloud().evaluations.documents(id, { ...options, limit: DOCUMENTS_PER_PAGE, signal }),
  });
