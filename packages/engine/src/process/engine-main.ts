/** Main module of the engine's process. */
import { openModel } from '../open-model.ts';
import { serveEngine } from './serve-engine.ts';

serveEngine(openModel);
