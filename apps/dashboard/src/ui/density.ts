/** How close rows and controls are. The choice of the account, kept in this browser for the next page. */

export type Density = 'comfortable' | 'compact';

const KEY = 'gptj-density';

export function applyDensity(): void {
  if (localStorage.getItem(KEY) === 'compact') document.documentElement.dataset.density = 'compact';
  else delete document.documentElement.dataset.density;
}

export function setDensity(density: Density): void {
  localStorage.setItem(KEY, density);
  applyDensity();
}
