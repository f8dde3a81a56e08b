import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatToken, parseToken, type Token } from "../../../src/protocol/access/token.ts";
import { TOKEN_ROLES } from "../../../src/protocol/access/token-role.ts";
import { thrown, thrownCode } from "../../helpers/thrown.ts";

const base32 = (chars: number) => fc.stringMatching(new RegExp(`^[a-z2-7]{${chars}}$`));
const token: fc.Arbitrary<Token> = fc.record({
  role: fc.constantFrom(...TOKEN_ROLES),
  pin: fc.oneof(base32(52), fc.constant("")),
  id: fc.stringMatching(/^[a-z0-9]{8}$/),
  secret: base32(26),
});
const PIN = "mfrggzdfmztwq2lknnwg23tpobyxe43uov3ho6dzpjqwey3emvta";
const SINK: Token = { role: "sink", pin: PIN, id: "k3m9x2qa", secret: "aaaqeayeaudaocajbifqydiob4" };

describe("a token", () => {
  test("is read as it was written, and holds only what a double click takes", () => {
    fc.assert(
      fc.property(token, (each) => {
        const text = formatToken(each);
        expect(text).toMatch(/^[a-z0-9_]+$/);
        expect(text.length).toBeLessThanOrEqual(105);
        expect(parseToken(text)).toEqual(each);
      }),
    );
  });

  test("has this text: a format that changes would lock fleets out", () => {
    expect(formatToken(SINK)).toBe(`ff1_sink_${PIN}_k3m9x2qa_aaaqeayeaudaocajbifqydiob4f774`);
    expect(formatToken({ ...SINK, role: "admin", pin: "" })).toBe("ff1_admin__k3m9x2qa_aaaqeayeaudaocajbifqydiob4i645");
  });

  test("that lost, gained or changed a character is damaged, and its text does not stand in the error", () => {
    fc.assert(
      fc.property(token, fc.nat(), fc.constantFrom("cut", "more", "other", "upper"), (each, at, how) => {
        const text = formatToken(each);
        const index = at % text.length;
        const [before, char, after] = [text.slice(0, index), text.charAt(index), text.slice(index + 1)];
        const changed = { cut: "", more: char + char, other: char === "a" ? "b" : "a", upper: char.toUpperCase() }[how];
        fc.pre(before + changed + after !== text);
        const error = thrown(() => parseToken(before + changed + after));
        expect(error).toMatchObject({ code: "token-damaged" });
        expect(String(error)).not.toContain(each.secret.slice(0, 8));
      }),
      // A change passes the check once in 2^20 times: the seed is fixed, so that it is the same changes each time.
      { seed: 15, numRuns: 500 },
    );
  });

  test("of any other text is damaged", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(thrownCode(() => parseToken(text))).toBe("token-damaged");
      }),
    );
    expect(thrownCode(() => parseToken(`ff1_${"a".repeat(1_000_000)}`))).toBe("token-damaged");
    expect(thrownCode(() => parseToken(formatToken({ ...SINK, role: "king" as "admin" })))).toBe("token-damaged");
  });
});
