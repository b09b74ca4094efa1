import { useQueryClient } from '@tanstack/react-query';
import { Outlet, useMatches, useRouter } from '@tanstack/react-router';
import { Suspense, useEffect } from 'react';
import { I18nProvider, RouterProvider } from 'react-aria-components';
import { followOtherTabs } from '../api/session.ts';
import { Announcer } from '../ui/announce.tsx';
import { listenForShortcuts } from '../ui/shortcuts.ts';
import { Toasts } from '../ui/toasts.tsx';
import { Shell } from './shell.tsx';

/** The frame of every page: the shell for signed-in users, nothing around public pages. */
export function Root() {
  const router = useRouter();
  const queries = useQueryClient();
  const matches = useMatches();
  const isPublic = matches.some(({ staticData }) => staticData.isPublic);
  useEffect(() => listenForShortcuts(), []);
  useEffect(() => followOtherTabs(queries), [queries]);
  useEffect(() => {
    // After a navigation the focus goes to the heading, as after the load of a page.
    return router.subscribe('onRendered', ({ pathChanged, fromLocation }) => {
      if (!pathChanged || fromLocation === undefined) return;
      document.querySelector<HTMLElement>('main h1')?.focus({ preventScroll: true });
    });
  }, [router]);
  return (
    <I18nProvider locale="en-GB">
      <RouterProvider navigate={(to) => router.history.push(to)}>
        {isPublic ? (
          <Suspense>
            <Outlet />
          </Suspense>
        ) : (
          <Shell />
        )}
        <Toasts />
        <Announcer />
      </RouterProvider>
    </I18nProvider>
  );
}
