import { withSafeText } from "../../protocol/names/peer-text.ts";

/** Why the coordinator did not do what was asked, in its own words. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = "Refusal";
    this.status = status;
    this.code = code;
  }
}

interface AskOptions {
  readonly method?: "GET" | "POST" | "PUT" | "DELETE";
  readonly body?: unknown;
  /** Shown once, for a cookie. */
  readonly token?: string;
  readonly signal?: AbortSignal;
}

/** Asks the coordinator's API. The answer is of the release that the page came with. @throws Refusal */
export async function ask<Answer>(path: string, question: AskOptions = {}): Promise<Answer> {
  const response = await open(path, question);
  return withSafeText((await response.json()) as Answer);
}

/** The same, for an answer that comes piece by piece. @throws Refusal */
export async function open(
  path: string,
  { method = "GET", body, token, signal }: AskOptions,
  more: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const headers = new Headers(more);
  if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
  if (body !== undefined) headers.set("content-type", "application/json");
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers,
      ...(signal === undefined ? {} : { signal }),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch {
    throw new Refusal(
      0,
      "unreachable",
      "The coordinator does not answer. It may have stopped, or the network is down.",
    );
  }
  if (response.ok) return response;
  throw await refusalOf(response);
}

/** What the coordinator says of itself is a problem of RFC 9457; something in between may say anything. */
async function refusalOf(response: Response): Promise<Refusal> {
  const { status, statusText } = response;
  try {
    const { code, detail } = withSafeText((await response.json()) as { code?: string; detail?: string });
    return new Refusal(status, String(code), sentence(String(detail)));
  } catch {
    return new Refusal(status, "unknown", `The answer was ${status} ${statusText}, and no coordinator says that.`);
  }
}

/** Errors are written to stand behind the name of a program. */
function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
}
