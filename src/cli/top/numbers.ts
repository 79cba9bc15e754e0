const UNITS = ['', 'k', 'M', 'G', 'T', 'P'];

/** Few digits, in powers of 1000: `0`, `0.5`, `12`, `1.2k`, `345M`. Below 0.05 it is `0`, unless it is not quite: `<0.1`. */
export function formatRate(value: number): string {
  if (value === 0) return '0';
  if (value < 0.05) return '<0.1';
  let [scaled, unit] = [value, 0];
  while (rounded(scaled) >= 1000 && unit < UNITS.length - 1) [scaled, unit] = [scaled / 1000, unit + 1];
  const digits = scaled < 9.95 && !(unit === 0 && Number.isInteger(scaled)) ? 1 : 0;
  return `${scaled.toFixed(digits)}${UNITS[unit]}`;
}

function rounded(value: number): number {
  return value < 9.95 ? value : Math.round(value);
}

/** Exact as long as it is short. */
export function formatCount(value: number): string {
  return value < 100_000 ? String(value) : formatRate(value);
}
