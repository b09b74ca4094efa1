import { defineScreens } from '../screen.ts';

defineScreens('manual', [
  { state: 'guide', path: '/docs' },
  { state: 'tables', path: '/docs/generate' },
  { state: 'operations', path: '/docs/reference' },
  { state: 'operation', path: '/docs/reference/runs#post_v2_runs' },
  {
    state: 'reply',
    path: '/docs/reference/server#get_v2_status',
    async act(page) {
      const operation = page.locator('#get_v2_status');
      await operation.getByRole('button', { name: 'Send GET' }).click();
      await operation.getByText('200 OK').waitFor();
    },
  },
]);
