import { expect, test } from "vitest";
import { FanfoldError } from "../../src/lib/errors.ts";
import { withoutTokens } from "../../src/lib/hide-tokens.ts";
import { formatToken } from "../../src/protocol/access/token.ts";

const SECRET = "aaaqeayeaudaocajbifqydiob4";

test.each(["b".repeat(52), ""])(
  "a token in a text is cut behind its role, also one that was cut before (pin: %j)",
  (pin) => {
    const token = formatToken({ role: "sink", pin, id: "k3m9x2qa", secret: SECRET });
    for (const text of [token, token.slice(0, -1), `${token}x`, token.slice(0, -20)])
      expect(withoutTokens(`cannot read "${text}": ${text}, ${text}`)).toBe(
        'cannot read "ff1_sink_…": ff1_sink_…, ff1_sink_…',
      );
    expect(new FanfoldError("usage", `found ${token}`).message).toBe("found ff1_sink_…");
  },
);

test.each([
  "want a token that begins with ff1_",
  'it does not begin with "ff1_"',
  "FANFOLD_TOKEN=ff1_sink_… fanfold sink",
  "",
])("a text without a token stays as it is: %s", (text) => {
  expect(withoutTokens(text)).toBe(text);
});

test.each(["AGE-SECRET-KEY-1", "age-secret-key-1", "AGE-SECRET-KEY-PQ-1"])(
  "a secret age key in a text is cut behind its beginning: %s",
  (head) => {
    const key = `${head}${"QPZRY9X8GF2TVDW0".repeat(3)}`;
    expect(withoutTokens(`found "${key}" and ${key}x`)).toBe(`found "${head}…" and ${head}…`);
  },
);
