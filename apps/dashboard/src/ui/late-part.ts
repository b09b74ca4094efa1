import { useEffect, useState } from 'react';

/** Code of a control that is loaded after the page shows, once for all controls of its kind. */
export interface LatePart<Part> {
  /** Null until it is loaded. */
  readonly get: () => { readonly part: Part } | null;
  /** After a failure the next call loads again. */
  readonly load: () => Promise<void>;
}

export function createLatePart<Part>(read: () => Promise<Part>): LatePart<Part> {
  let loaded: { readonly part: Part } | null = null;
  let loading: Promise<void> | null = null;
  const readOnce = async (): Promise<void> => {
    try {
      loaded = { part: await read() };
    } finally {
      loading = null;
    }
  };
  return {
    get: () => loaded,
    load: async () => {
      if (loaded !== null) return;
      loading ??= readOnce();
      await loading;
    },
  };
}

/** What passes from the stand-in of a control to the control. */
export interface Handover {
  /** Properties of the stand-in's button. */
  readonly standIn: {
    readonly onPress: () => void;
    readonly onPressChange: (isPressed: boolean) => void;
    readonly onFocusChange: (hasFocus: boolean) => void;
  };
  /** Whether the stand-in was pressed, so that the control opens at once. */
  readonly wasPressed: boolean;
  /** Whether the stand-in had the focus, which is lost with its button. */
  readonly hadFocus: boolean;
}

/**
 * The part, or null while a stand-in is shown: until the part is loaded and no press is under way, because a button that is
 * replaced between the two halves of a press loses it.
 */
export function useLatePart<Part>(late: LatePart<Part>): readonly [Part | null, Handover] {
  const [found, setFound] = useState(late.get);
  const [failure, setFailure] = useState<{ readonly error: unknown } | null>(null);
  const [isPressed, setIsPressed] = useState(false);
  const [wasPressed, setWasPressed] = useState(false);
  const [hadFocus, setHadFocus] = useState(false);
  const isFound = found !== null;
  useEffect(() => {
    if (isFound) return;
    let isGone = false;
    late.load().then(
      () => {
        if (!isGone) setFound(late.get());
      },
      (error: unknown) => {
        if (!isGone) setFailure({ error });
      },
    );
    return () => {
      isGone = true;
    };
  }, [late, isFound]);
  // For the error boundary of the page, as `lazy` does it.
  if (failure !== null) throw failure.error;
  const standIn = { onPress: () => setWasPressed(true), onPressChange: setIsPressed, onFocusChange: setHadFocus };
  return [isPressed ? null : (found?.part ?? null), { standIn, wasPressed, hadFocus }];
}
