/** Of two `Cache-Control` values the stricter (RFC 9111 section 5.2.2). */

interface Strictness {
  /** 3 `no-store`, 2 `no-cache`, 1 `private`, 0 anything else. */
  readonly rank: number;
  /** Seconds that a cache may serve it; without a limit: infinite. */
  readonly lifetime: number;
}

/** What goes out where both the handler and the policy have a say; the policy's where neither is stricter. */
export function stricterCacheControl(theirs: string, ours: string): string {
  const a = strictnessOf(theirs);
  const b = strictnessOf(ours);
  if (a.rank !== b.rank) return a.rank > b.rank ? theirs : ours;
  return a.lifetime < b.lifetime ? theirs : ours;
}

function strictnessOf(value: string): Strictness {
  let rank = 0;
  let lifetime = Number.POSITIVE_INFINITY;
  for (const directive of directivesOf(value)) {
    // With an argument `private` and `no-cache` speak of single fields only.
    if (directive === "no-store") rank = Math.max(rank, 3);
    else if (directive === "no-cache") rank = Math.max(rank, 2);
    else if (directive === "private") rank = Math.max(rank, 1);
    else {
      const seconds = /^(?:max-age|s-maxage)="?([0-9]{1,10})"?$/u.exec(directive)?.[1];
      if (seconds !== undefined) lifetime = Math.min(lifetime, Number(seconds));
    }
  }
  return { rank, lifetime };
}

/** Lower case; a comma inside a quoted string separates nothing. */
function directivesOf(value: string): string[] {
  const directives: string[] = [];
  let current = "";
  let quoted = false;
  for (let i = 0; i < value.length; i++) {
    const character = value.charAt(i);
    if (quoted && character === "\\") current += character + value.charAt(++i);
    else if (character === "," && !quoted) {
      directives.push(current.trim().toLowerCase());
      current = "";
    } else {
      if (character === '"') quoted = !quoted;
      current += character;
    }
  }
  directives.push(current.trim().toLowerCase());
  return directives;
}
