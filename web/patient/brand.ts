/** A clinic's colour made safe to read: `light` behind white text and on white, `dark` on the dark page, with its own text colour. */
export type Brand = { light: string; dark: string; onDark: string }

type Rgb = [number, number, number]

const white: Rgb = [255, 255, 255]
const night: Rgb = [27, 35, 44]
const ink: Rgb = [11, 18, 25]
const fallback: Rgb = [11, 92, 138]

/** Darkens or lightens the colour until text has a contrast of 5:1 (WCAG 2.2 AA wants 4.5:1); anything but `#rgb`/`#rrggbb` gives the default. */
export const brandOf = (colour: string): Brand => {
  const base = parse(colour) ?? fallback
  const light = until(base, [0, 0, 0], mixed => contrast(mixed, white) >= 5.2)
  const dark = until(base, white, mixed => contrast(mixed, night) >= 5.2)
  return { light: hex(light), dark: hex(dark), onDark: hex(ink) }
}

const parse = (colour: string): Rgb | null => {
  const short = /^#([\da-f])([\da-f])([\da-f])$/i.exec(colour.trim())
  if (short) return [short[1]!, short[2]!, short[3]!].map(digit => Number.parseInt(digit + digit, 16)) as Rgb
  const long = /^#([\da-f]{2})([\da-f]{2})([\da-f]{2})$/i.exec(colour.trim())
  return long ? ([long[1]!, long[2]!, long[3]!].map(pair => Number.parseInt(pair, 16)) as Rgb) : null
}

const until = (from: Rgb, to: Rgb, good: (colour: Rgb) => boolean): Rgb => {
  for (let share = 0; share <= 1; share += 0.04) {
    const mixed = from.map((value, index) => Math.round(value + (to[index]! - value) * share)) as Rgb
    if (good(mixed)) return mixed
  }
  return to
}

/** The contrast ratio of two colours, 1 to 21 (WCAG 2.2). */
export const contrast = (a: Rgb, b: Rgb): number => {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y)
  return (high! + 0.05) / (low! + 0.05)
}

const luminance = (colour: Rgb): number => {
  const [r, g, b] = colour.map(value => {
    const part = value / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!
}

const hex = (colour: Rgb): string => `#${colour.map(value => value.toString(16).padStart(2, '0')).join('')}`
