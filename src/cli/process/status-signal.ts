/** SIGINFO is what Ctrl-T sends where the system has it (BSD, macOS). */
const SIGNALS: readonly NodeJS.Signals[] = ["SIGUSR1", "SIGINFO"];

/**
 * Calls `show` at each signal by which people ask how far a program is. Without it SIGUSR1 does nothing: `bin/fanfold.cjs`
 * listens from the start, because Node.js itself would open its debugger.
 */
export function onStatusSignal(show: () => void): Disposable {
  for (const signal of SIGNALS) process.on(signal, show);
  return {
    [Symbol.dispose]() {
      for (const signal of SIGNALS) process.off(signal, show);
    },
  };
}
