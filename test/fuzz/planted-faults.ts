/** A decoder with faults that no random input would meet, but one that is guided by what its inputs reach. */
export function decodePlanted(input: Uint8Array): number {
  if (input[0] !== 0x46) return 0;
  if (input[1] !== 0x21) return 1;
  if (input[2] !== 0x99) return 2;
  if (input[3] === 0x07) throw new RangeError("planted");
  return 3;
}
