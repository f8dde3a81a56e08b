/** The coordinator pings every 5 s: after this long without a word it does not answer, though its connection stands. */
const QUIET_MS_MAX = 7_000;

/** Watches whether the other end of a connection says anything. */
interface QuietWatch extends Disposable {
  /** Something came. */
  heard(): void;
}

/** `onQuiet` is told when nothing came for a while, and when something comes again. */
export function watchQuiet(onQuiet: (isQuiet: boolean) => void): QuietWatch {
  let [isQuiet, isHeard] = [false, false];
  let check: NodeJS.Immediate | undefined;
  const timer = setTimeout(() => {
    isHeard = false;
    // When it was this process that stood still, what came meanwhile is read before this.
    check = setImmediate(() => {
      if (isHeard) return;
      isQuiet = true;
      onQuiet(true);
    });
  }, QUIET_MS_MAX);
  timer.unref();
  return {
    heard() {
      isHeard = true;
      timer.refresh();
      if (!isQuiet) return;
      isQuiet = false;
      onQuiet(false);
    },
    [Symbol.dispose]() {
      clearTimeout(timer);
      clearImmediate(check);
    },
  };
}
