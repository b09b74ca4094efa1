/** The screens of signing in, Home, the playground, runs, usage and pipelines. */
import { checkScreens } from '../check-screens.ts';

await checkScreens('work');
