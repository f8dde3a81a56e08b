import { link, login, logOut } from "../store/link.ts";
import { askToLogIn } from "../store/orders.ts";
import { isPrivatePlace } from "../store/private-place.ts";
import { shownMoment } from "../words/moment.ts";

/** What stands above everything: whose page it is, whether it is how it is now, and who looks. */
export function TopBar() {
  return (
    <header class="top">
      <a class="brand" href="/">
        <Mark />
        fanfold
      </a>
      <span class="host">{location.host}</span>
      <LinkMark />
      <Who />
    </header>
  );
}

function Mark() {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <path d="M5 16h8l10-9M13 16h10M13 16l10 9" />
      <circle cx="25" cy="6" r="3" />
      <circle cx="26" cy="16" r="3" />
      <circle cx="25" cy="26" r="3" />
    </svg>
  );
}

function LinkMark() {
  const { state } = link.value;
  const words = { live: "live", connecting: "connecting", locked: "locked", lost: "not connected" }[state];
  return <span class={`link ${state}`}>{words}</span>;
}

function Who() {
  const { value } = login;
  if (value === undefined || link.value.state === "locked") return null;
  if (value.role === undefined)
    return !isPrivatePlace(location) ? null : (
      <button type="button" class="quiet" onClick={askToLogIn}>
        Log in
      </button>
    );
  return (
    <span class="who">
      <span>{value.role}</span>
      <button type="button" class="quiet" onClick={() => void logOut().catch(() => undefined)}>
        Log out
      </button>
    </span>
  );
}

/** Said at once, because nothing below is how it is now. */
export function LostBanner() {
  const { value } = link;
  if (value.state !== "lost") return null;
  const since =
    value.since === undefined ? "" : ` What is below is how it was at ${shownMoment(value.since.toISOString())}.`;
  return (
    <p class="banner" role="alert">
      <b>Not connected.</b> {value.why}
      {since} It is tried again and again.
    </p>
  );
}
