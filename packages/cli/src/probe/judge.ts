/** What must come of a request, asked of the real engine under the policy, with throwaway keys in place of the server's. */
import {
  policyKit,
  PolicyTestError,
  type PolicyKit,
  type PolicyResult,
  type TestAnswer,
  type TestPerson,
  type TestRequest,
} from "@gatehouse/core/testing";
import { PolicyError, type FrameworkMatching, type PolicyDocument } from "@gatehouse/core";
import { checksIn } from "../explain/ask.js";

export interface Asking {
  readonly person: TestPerson | undefined;
  readonly request: TestRequest;
  /** Paths may be read as any framework reads them. */
  readonly odd?: boolean;
  /** What the handler answered, to be shaped as the policy wants. */
  readonly answer?: TestAnswer;
  /** It is asked once more, and the second answer is the right one. */
  readonly twice?: boolean;
}

/**
 * How frameworks differ in what they take for the same path. A path is spelled oddly in one way at a time, so no other combination of these
 * says anything that one of them does not.
 */
const MATCHINGS: readonly FrameworkMatching[] = [
  {},
  { caseSensitive: false, trailingSlash: "ignored" },
  { caseSensitive: false, trailingSlash: "ignored", staticText: "raw", wildcard: "itself" },
];

export class Judge {
  #checksSay = true;
  #checked = false;
  readonly #kits = new Map<number, PolicyKit | undefined>();

  /**
   * @param now milliseconds since the epoch; credentials are made for that time
   * @param secrets by reference, where they are no throwaway ones: what is signed under them goes to the server
   */
  constructor(
    private readonly document: PolicyDocument,
    private readonly now: () => number,
    private readonly secrets: Readonly<Record<string, string>> = {},
  ) {}

  /** All that is right: several where it is the application's to decide, or the framework's. The first is the policy's own. */
  async expect(asking: Asking): Promise<readonly PolicyResult[]> {
    const found: PolicyResult[] = [];
    for (const index of asking.odd === true ? MATCHINGS.keys() : [0]) {
      const kit = await this.kit(index);
      if (kit === undefined) continue;
      this.#checked = false;
      found.push(await this.ask(kit, asking, true));
      if (this.#checked) found.push(await this.ask(kit, asking, false));
    }
    return found;
  }

  /**
   * As many times as it takes until a limit refuses, counted; undefined: none does within `most`.
   * @param step milliseconds from one to the next
   */
  async flood(
    asking: Asking,
    most: number,
    step: number,
  ): Promise<{ readonly admitted: number; readonly result: PolicyResult } | undefined> {
    const kit = await this.kit(0);
    if (kit === undefined) return undefined;
    kit.reset();
    this.#checksSay = true;
    let passed = 0;
    for (let admitted = 0; admitted <= most; admitted += 1) {
      const result = await this.caller(kit, asking).request(asking.request);
      if (result.code === "rate-limited") return { admitted, result };
      const whole = Math.floor((admitted + 1) * step);
      if (whole > passed) kit.clock.advance(`${whole - passed}ms`);
      passed = whole;
    }
    return undefined;
  }

  async close(): Promise<void> {
    for (const kit of this.#kits.values()) await kit?.close();
  }

  private async ask(kit: PolicyKit, asking: Asking, checksSay: boolean): Promise<PolicyResult> {
    // What one request spends is no matter for the next: limits are asked about on their own.
    kit.reset();
    kit.clock.advance(`${Math.max(0, wholeSecond(this.now()) - kit.clock.now())}ms`);
    this.#checksSay = checksSay;
    const caller = this.caller(kit, asking);
    if (asking.twice === true) await caller.request(asking.request);
    return await caller.request(asking.request);
  }

  private caller(kit: PolicyKit, { person, answer }: Asking): ReturnType<PolicyKit["as"]> {
    const caller = person === undefined ? kit.anonymous : kit.as(person);
    return answer === undefined ? caller : caller.answering(answer);
  }

  private async kit(index: number): Promise<PolicyKit | undefined> {
    if (!this.#kits.has(index)) this.#kits.set(index, await this.made(MATCHINGS[index] ?? {}));
    return this.#kits.get(index);
  }

  /** Undefined: no server with such a framework would start under this policy. */
  private async made(matching: FrameworkMatching): Promise<PolicyKit | undefined> {
    const check = (): boolean => {
      this.#checked = true;
      return this.#checksSay;
    };
    try {
      return await policyKit(this.document, {
        at: new Date(wholeSecond(this.now())).toISOString(),
        matching,
        secrets: this.secrets,
        checks: Object.fromEntries(checksIn(this.document).map((name) => [name, check])),
      });
    } catch (error) {
      if (error instanceof PolicyError && Object.keys(matching).length > 0) return undefined;
      throw error;
    }
  }
}

/** Dates in tokens are then whole numbers: some who read them take no others. */
function wholeSecond(time: number): number {
  return Math.floor(time / 1000) * 1000;
}

/** Whether no credential can say of anybody what was to be said. */
export function isImpossible(error: unknown): error is PolicyTestError {
  return error instanceof PolicyTestError;
}
