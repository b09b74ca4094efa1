/** Main module of the process that loads the engines' libraries for a report. */
import { reportEngines } from './engine-report.ts';

process.send?.(await reportEngines());
process.disconnect();
