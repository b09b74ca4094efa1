import { defineScreens } from '../screen.ts';

defineScreens('login', [{ state: 'empty', path: '/login', as: null }]);
