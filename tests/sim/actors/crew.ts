/** What can be killed and comes back as its own successor. */
export interface Mortal<Self> {
  readonly process: {
    readonly state: "running" | "frozen" | "dead";
    kill(): void;
    freeze(): void;
    thaw(): void;
    name: string;
  };
  readonly connection: { break(backAfterMs: number | null): void };
  successor(life: number): Self;
}

/** The processes of one kind, each in its place; who dies is replaced. */
export class Crew<A extends Mortal<A>> {
  readonly members: A[];
  #lives = 1;

  constructor(members: A[]) {
    this.members = members;
  }

  /** Puts a new process in the place of this one. */
  replace(member: A): void {
    const place = this.members.indexOf(member);
    if (place >= 0) this.members[place] = member.successor(++this.#lives);
  }
}
