import { signal } from "@preact/signals";
import { PAGE_PATHS } from "../../protocol/coordinator-port.ts";

const current = signal(location.pathname);

let isArriving = false;

/** Whether a link has led here, asked once by the page that it led to. */
export function takeArrival(): boolean {
  const was = isArriving;
  isArriving = false;
  return was;
}

/** The session that is shown alone; undefined on the first page. */
export function sessionInPath(): string | undefined {
  const { sessions } = PAGE_PATHS;
  return current.value.startsWith(sessions) ? current.value.slice(sessions.length) : undefined;
}

export function sessionPath(id: string): string {
  return `${PAGE_PATHS.sessions}${encodeURIComponent(id)}`;
}

/** Follows the links of the page without loading it again, and the buttons of the browser. */
export function followLinks(): void {
  addEventListener("popstate", () => {
    current.value = location.pathname;
  });
  document.addEventListener("click", (event) => {
    if (
      event.defaultPrevented ||
      event.button !== 0 ||
      event.ctrlKey ||
      event.metaKey ||
      event.shiftKey ||
      event.altKey
    )
      return;
    const anchor = event.target instanceof Element ? event.target.closest("a") : null;
    if (anchor === null || anchor.origin !== location.origin || !isOwn(anchor.pathname)) return;
    event.preventDefault();
    if (anchor.pathname === location.pathname) return;
    history.pushState(null, "", anchor.pathname);
    isArriving = true;
    current.value = anchor.pathname;
    scrollTo(0, 0);
  });
}

function isOwn(to: string): boolean {
  return to === PAGE_PATHS.start || to.startsWith(PAGE_PATHS.sessions);
}
