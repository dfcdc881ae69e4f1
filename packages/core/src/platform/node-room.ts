/** Memory that is written and read again and again: nothing may be awaited between the two. */

/** A power of two. Texts of one sort have a few dozen lengths at most. */
const VIEWS = 256;

/** The beginning of a room, as long as is asked for. To make such a view costs as much as to write what it shows. */
export function beginningsOf(room: Buffer): (length: number) => Buffer {
  const views = Array.from<Buffer | undefined>({ length: VIEWS });
  return (length) => {
    const place = length & (VIEWS - 1);
    const known = views[place];
    if (known !== undefined && known.length === length) return known;
    const view = room.subarray(0, length);
    views[place] = view;
    return view;
  };
}
