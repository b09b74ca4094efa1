// `npm run build`: the compiled packages with their types, in a clone that has installed no more than `npm start` needs, too.
import { prepare } from './prepare.mjs';

await prepare();
