/** The session's CSRF token and the project in the address: every request of this tab carries them. */

let csrfToken: string | null = null;
let projectId: string | null = null;

export function activeCsrfToken(): string | null {
  return csrfToken;
}

export function setActiveCsrfToken(token: string | null): void {
  csrfToken = token;
}

/** Null: the first project of the account. */
export function activeProject(): string | null {
  return projectId;
}

/** Returns whether the project has changed. */
export function setActiveProject(id: string | null): boolean {
  const hasChanged = id !== projectId;
  projectId = id;
  return hasChanged;
}
