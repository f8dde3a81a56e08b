import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { leave, type Question, question } from "../store/question.ts";

/** Asks whether something is to be done, and says why it could not be. */
export function QuestionDialog() {
  const { value } = question;
  return value === undefined ? null : <OpenQuestion key={value.title} asked={value} />;
}

interface OpenQuestionProps {
  readonly asked: Question;
}

function OpenQuestion({ asked }: OpenQuestionProps) {
  const { title, words, does, isGrave, field, act } = asked;
  const dialog = useRef<HTMLDialogElement>(null);
  const text = useSignal(field?.value ?? "");
  const failure = useSignal<string | undefined>(undefined);
  const isBusy = useSignal(false);
  useEffect(() => {
    const opener = document.activeElement;
    const shown = dialog.current;
    shown?.showModal();
    return () => {
      // Beneath an open dialog nothing takes the focus.
      shown?.close();
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
    };
  }, []);
  const submit = async (): Promise<void> => {
    isBusy.value = true;
    failure.value = undefined;
    try {
      await act(text.value.trim());
      leave();
    } catch (thrown) {
      failure.value = thrown instanceof Error ? thrown.message : String(thrown);
    }
    isBusy.value = false;
  };
  return (
    <dialog
      ref={dialog}
      aria-labelledby="question"
      onCancel={leaveNow}
      onClose={() => question.value === asked && leave()}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <h2 id="question">{title}</h2>
        {words.map((sentence) => (
          <p key={sentence}>{sentence}</p>
        ))}
        {field !== undefined && <Field field={field} text={text} />}
        {failure.value !== undefined && (
          <p class="failure" role="alert">
            {failure.value}
          </p>
        )}
        <div class="choices">
          <button type="button" onClick={leave}>
            Leave it
          </button>
          <button type="submit" class={isGrave ? "grave" : "main"} disabled={isBusy.value}>
            {does}
          </button>
        </div>
      </form>
    </dialog>
  );
}

/** At Escape, at once: the event that a dialog has closed comes later, when another question may be asked. */
function leaveNow(event: Event): void {
  event.preventDefault();
  leave();
}

interface FieldProps {
  readonly field: NonNullable<Question["field"]>;
  readonly text: { value: string };
}

function Field({ field, text }: FieldProps) {
  const { label, hint, choices, isSecret = false } = field;
  return (
    <>
      <label>
        {label}
        <input
          {...(isSecret ? { type: "password" as const } : { type: "text" as const })}
          value={text.value}
          required
          autocomplete="off"
          spellcheck={false}
          aria-describedby="field-hint"
          onInput={(event) => {
            text.value = event.currentTarget.value;
          }}
        />
      </label>
      <p class="hint" id="field-hint">
        {hint}
      </p>
      {choices.length > 0 && (
        <div class="picks">
          {choices.map((choice) => (
            <button
              key={choice}
              type="button"
              class="quiet"
              onClick={() => {
                text.value = choice;
              }}
            >
              {choice}
            </button>
          ))}
        </div>
      )}
    </>
  );
}
