/** A list that is made of another, each item when it is first asked for, and once. */
export function whenAsked<From extends object, To extends object>(
  list: readonly From[],
  make: (item: From) => To,
): (index: number) => To | undefined {
  const made = list.map((): To | undefined => undefined);
  return (index) => {
    const known = made[index];
    if (known !== undefined) return known;
    const item = list[index];
    return item && (made[index] = make(item));
  };
}
