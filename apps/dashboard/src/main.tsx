import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

const root = document.getElementById('root');
if (root === null) throw new Error('expected an element #root in index.html');
createRoot(root).render(
  <StrictMode>
    <main>gptj-cloud</main>
  </StrictMode>,
);
