/**
 * The first user and project. Migration 0002 creates them with these ids and assigns to them all data from before
 * the server had accounts.
 */
export const FIRST_USER_ID = 'user_00000000000000000000000000000000';
export const DEFAULT_PROJECT_ID = 'project_00000000000000000000000000000000';
