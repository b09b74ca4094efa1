/** The settings of how long the server keeps what it stores. */
import { integerSetting } from './setting.ts';

const group = 'Serving';

export const retentionSettings = {
  RETENTION_DAYS: integerSetting({
    group,
    help: 'days after which an ended run is deleted with its data and result, and unused data and files; 0 keeps them forever. The first deletion is an hour after the start',
    fallback: 90,
    min: 0,
    max: 36_500,
  }),
  AUDIT_RETENTION_DAYS: integerSetting({
    group,
    help: 'days after which an entry of the audit log is deleted; 0 keeps them forever',
    fallback: 400,
    min: 0,
    max: 36_500,
  }),
};
