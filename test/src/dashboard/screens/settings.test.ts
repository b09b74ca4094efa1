/** The screens of the account, of the project's settings and of the server's. */
import { checkScreens } from '../check-screens.ts';

await checkScreens('settings');
