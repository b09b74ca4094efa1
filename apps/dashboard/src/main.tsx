import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { createQueryClient } from './api/query-client.ts';
import { createDashboardRouter } from './router.tsx';
import './ui/tokens.css';
import './ui/base.css';
import { applyDensity } from './ui/density.ts';
import { applyTheme } from './ui/theme.ts';

const RELOADED = 'gptj-reloaded';

applyTheme();
applyDensity();
// After an update of the server the chunks that this page names are gone: the new page names the new ones.
window.addEventListener('vite:preloadError', (event) => {
  if (sessionStorage.getItem(RELOADED) !== null) return;
  sessionStorage.setItem(RELOADED, 'yes');
  event.preventDefault();
  window.location.reload();
});
window.addEventListener('load', () => setTimeout(() => sessionStorage.removeItem(RELOADED), 10_000));

const root = document.getElementById('root');
if (root === null) throw new Error('expected an element #root in index.html');
const queries = createQueryClient();
const router = createDashboardRouter(queries);
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
