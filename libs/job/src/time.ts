/** The ISO time that lies so many seconds after another. */
export function plusSeconds(from: Date | string, seconds: number): string {
  return new Date(new Date(from).getTime() + Math.round(seconds * 1000)).toISOString();
}
