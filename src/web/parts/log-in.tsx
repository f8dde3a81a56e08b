import { useSignal } from "@preact/signals";
import { logIn } from "../store/link.ts";

interface LogInProps {
  /** Why a cookie that was there is not good any more. */
  readonly why: string | undefined;
}

/** The whole page, where nothing is shown without a token. */
export function LogIn({ why }: LogInProps) {
  const text = useSignal("");
  const failure = useSignal(why);
  const isBusy = useSignal(false);
  const submit = async (): Promise<void> => {
    isBusy.value = true;
    try {
      await logIn(text.value.trim());
      text.value = "";
      failure.value = undefined;
    } catch (thrown) {
      failure.value = thrown instanceof Error ? thrown.message : String(thrown);
    }
    isBusy.value = false;
  };
  return (
    <form
      class="card log-in"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <h1 tabIndex={-1}>Log in to this coordinator</h1>
      <p>It shows its copies to those who have a token for an observer or an admin.</p>
      <label>
        Token
        <input
          type="password"
          name="token"
          required
          autocomplete="off"
          spellcheck={false}
          placeholder="ff1_…"
          value={text.value}
          onInput={(event) => {
            text.value = event.currentTarget.value;
          }}
        />
      </label>
      {failure.value !== undefined && (
        <p class="failure" role="alert">
          {failure.value}
        </p>
      )}
      <button type="submit" class="main" disabled={isBusy.value}>
        Log in
      </button>
      <p class="hint">
        <code>fanfold token create --role observer</code> makes one, on the coordinator's machine. The token is sent
        once, and not kept in this browser: a cookie takes its place for 12 hours.
      </p>
    </form>
  );
}
