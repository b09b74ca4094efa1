import { ApiError, type EnvironmentGet } from '@gptj-cloud/protocol';

/** The environment that clients from 0.4.0 on use by default. It holds nothing: no Python runs here. */
export const DEFAULT_ENVIRONMENT: EnvironmentGet = {
  id: 'environment_35a54969b7474150b87afdf155431884',
  name: 'public/mystic-default-20230126',
  python_requirements: [],
  locked: true,
};

/** Throws `name_unknown`. */
export function findEnvironment(idOrName: string): EnvironmentGet {
  if (idOrName === DEFAULT_ENVIRONMENT.id || idOrName === DEFAULT_ENVIRONMENT.name) return DEFAULT_ENVIRONMENT;
  const remedy = 'GET /v2/environments lists the environment of this server';
  throw new ApiError('name_unknown', { kind: 'environment', name: idOrName.slice(0, 100), remedy });
}
