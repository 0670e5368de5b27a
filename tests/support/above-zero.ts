/** The number that an argument gives; undefined where it was left out. @throws Error when it is none above 0 */
export function aboveZero(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!(value > 0)) throw new Error(`"${text}" is no number above 0.`);
  return value;
}
