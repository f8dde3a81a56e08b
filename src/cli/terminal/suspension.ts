interface SuspensionOptions {
  /** Called before the process stops. */
  readonly suspended: () => void;
  /** Called when it goes on. */
  readonly resumed: () => void;
}

/** Ctrl-Z: gives the terminal back before the process stops, and takes it again when it goes on. */
export function watchSuspension({ suspended, resumed }: SuspensionOptions): Disposable {
  const stop = (): void => {
    suspended();
    // It was caught, so nothing stops the process but this, which cannot be caught.
    process.kill(process.pid, "SIGSTOP");
  };
  process.on("SIGTSTP", stop);
  process.on("SIGCONT", resumed);
  return {
    [Symbol.dispose]() {
      process.off("SIGTSTP", stop);
      process.off("SIGCONT", resumed);
    },
  };
}
