/** A candidate is compiled, follows its secrets, and is let go of. */
import type { CompiledPolicy } from "../compile/compile.js";
import { fileOf } from "../compile/positions.js";
import { withGoodSecrets } from "../compile/good-secrets.js";
import { SecretKeeper, type DraftMode, type SecretDraft } from "../compile/secret-keeper.js";
import { SecretRotation } from "../compile/secret-rotation.js";
import { oneAfterAnother } from "../lib/in-turn.js";
import type { FrameworkMatching } from "../match/router.js";
import type { PolicyDocument } from "../model/policy.js";
import type { OutwardCall } from "../ports/outward.js";
import type { SecretSource } from "../ports/secrets.js";
import { Shadow, type ShadowParts } from "./shadow.js";
import { withoutPosts } from "./without-posts.js";

/** A policy that is ready, and what it holds on to. */
interface Loaded {
  readonly policy: CompiledPolicy;
  readonly lifetime: { enforce(): void; end(): Promise<void> };
}

export interface ShadowStart extends ShadowParts {
  /** With a store that nothing else counts in. */
  readonly compile: (policy: PolicyDocument, secrets: SecretDraft, call: OutwardCall) => Promise<Loaded>;
  readonly call: OutwardCall;
  readonly source: SecretSource | undefined;
  readonly overlapMs: number;
  /** Of every server that is bound already: one that cannot tell the candidate's routes apart refuses it. */
  readonly matchings: readonly FrameworkMatching[];
}

export interface RunningShadow {
  readonly shadow: Shadow;
  readonly end: () => Promise<void>;
}

/** @throws PolicyError (rejects) for a candidate that cannot be served */
export async function beginShadow(document: PolicyDocument, start: ShadowStart): Promise<RunningShadow> {
  const { source, overlapMs, compile, routerOf } = start;
  const keeper = new SecretKeeper(source, overlapMs > 0);
  const inTurn = oneAfterAnother();
  const draft = keeper.draft("new", fileOf(document));
  const asked = { lacks: (_what: string): void => undefined };
  const call =
    start.options.code === "call" ? start.call : withoutPosts(start.call, (what) => asked.lacks(what));
  let loaded = await compile(document, draft, call);
  try {
    for (const matching of start.matchings) routerOf(loaded.policy, matching);
  } catch (error) {
    await loaded.lifetime.end();
    throw error;
  }
  const shadow = new Shadow(loaded.policy, start);
  loaded.lifetime.enforce();
  asked.lacks = (what) => shadow.lacks(what);
  const recompile = (mode: DraftMode): Promise<SecretDraft> =>
    inTurn(async () => {
      const before = loaded;
      const next = keeper.draft(mode, fileOf(before.policy.document));
      const differs = await next.refresh();
      if (!differs && !keeper.due) return next;
      const { document: candidate } = before.policy;
      const rotated = await withGoodSecrets(next, keeper.due, (one) => compile(candidate, one, call));
      if (rotated.loaded !== undefined) {
        loaded = rotated.loaded;
        shadow.follow(loaded.policy);
        loaded.lifetime.enforce();
        rotation.follow(rotated.draft);
        await before.lifetime.end();
      }
      return rotated.draft;
    });
  // What there is to tell of a secret is told by the policy that serves.
  const rotation = new SecretRotation({ source, keeper, overlapMs, recompile, tell: () => undefined });
  rotation.follow(draft);
  return {
    shadow,
    end: () => {
      rotation.close();
      shadow.close();
      return inTurn(() => loaded.lifetime.end());
    },
  };
}
