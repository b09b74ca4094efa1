/** Which tab has a draft open, so that two tabs do not write the same one. */

/** The part of a `BroadcastChannel` that claims use. */
export interface ClaimChannel {
  postMessage(message: unknown): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  close(): void;
}

export interface DraftClaims {
  /** Whether no other tab has the draft open. Ends this tab's claim on another draft when it succeeds. */
  claim(draftId: string): Promise<boolean>;
  close(): void;
}

export interface DraftClaimsOptions {
  readonly channel: ClaimChannel;
  /** Unique to this tab. */
  readonly tabId: string;
  /** Resolves when other tabs have had time to answer. */
  readonly answerTime: () => Promise<void>;
}

export function createDraftClaims({ channel, tabId, answerTime }: DraftClaimsOptions): DraftClaims {
  let held: string | null = null;
  let asked: string | null = null;
  let isTaken = false;
  channel.addEventListener('message', ({ data }) => {
    const { asks, holds, tab } = messageOf(data);
    if (tab === tabId) return;
    if (holds !== null && holds === asked) isTaken = true;
    // Of two tabs that ask at once, the one with the smaller name wins.
    if (asks !== null && (asks === held || (asks === asked && tab > tabId))) {
      channel.postMessage({ holds: asks, tab: tabId });
    }
  });
  return {
    async claim(draftId) {
      if (draftId === held) return true;
      asked = draftId;
      isTaken = false;
      channel.postMessage({ asks: draftId, tab: tabId });
      await answerTime();
      if (asked === draftId) asked = null;
      if (isTaken) return false;
      held = draftId;
      return true;
    },
    close() {
      held = null;
      channel.close();
    },
  };
}

function messageOf(data: unknown): { asks: string | null; holds: string | null; tab: string } {
  const fields: { asks?: unknown; holds?: unknown; tab?: unknown } =
    typeof data === 'object' && data !== null ? data : {};
  const { asks, holds, tab } = fields;
  return {
    asks: typeof asks === 'string' ? asks : null,
    holds: typeof holds === 'string' ? holds : null,
    tab: typeof tab === 'string' ? tab : '',
  };
}
