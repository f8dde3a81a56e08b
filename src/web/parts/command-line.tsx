import { useSignal } from "@preact/signals";

const THANKS_MS = 2000;

interface CommandLineProps {
  readonly text: string;
  /** What it is, for those who do not see it. */
  readonly label: string;
}

/** Something to be pasted elsewhere. */
export function CommandLine({ text, label }: CommandLineProps) {
  const isCopied = useSignal(false);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      isCopied.value = true;
      setTimeout(() => {
        isCopied.value = false;
      }, THANKS_MS);
    } catch {
      // Not every browser may; the text can be marked by hand.
    }
  };
  return (
    <div class="command">
      <code>{text}</code>
      <button type="button" class="quiet" aria-label={`Copy ${label}`} onClick={() => void copy()}>
        {isCopied.value ? "Copied" : "Copy"}
      </button>
    </div>
  );
}
