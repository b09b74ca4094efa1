/** What the store needs of its surroundings. */

export interface FolderLock {
  release(): Promise<void>;
}

/** Lock a folder, which is created when it is missing; null when another process has it. */
export type TryLock = (folder: string) => Promise<FolderLock | null>;
