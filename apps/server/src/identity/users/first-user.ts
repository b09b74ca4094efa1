/**
 * The first user and project: made by migration 0002, so that what was stored before there were accounts belongs to
 * somebody. Migrations name these ids, too.
 */
export const FIRST_USER_ID = 'user_00000000000000000000000000000000';
export const DEFAULT_PROJECT_ID = 'project_00000000000000000000000000000000';
