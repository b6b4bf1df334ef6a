export type Part = 'day' | 'month' | 'year'
export type Parts = Record<Part, string>

/** The order in which people of a locale write a date: month first in the United States, day first in most places. */
export const partOrder = (locale: string): Part[] => {
  // Another calendar, which a locale may ask for, has other parts: no `year`, for one.
  const format = { calendar: 'gregory', day: 'numeric', month: 'numeric', year: 'numeric' } as const
  const parts = new Intl.DateTimeFormat(locale, format).formatToParts(0)
  return parts.map(part => part.type).filter(type => type === 'day' || type === 'month' || type === 'year')
}

/** `YYYY-MM-DD`, or why not: `missing` for an empty or non-numeric field, `not-real` for a date that does not exist or lies ahead. */
export const parseBirthDate = (parts: Parts, now: number): { value: string } | { fault: 'missing' | 'not-real' } => {
  const [day, month, year] = [parts.day, parts.month, parts.year].map(text => text.trim())
  if (!/^\d{1,2}$/.test(day!) || !/^\d{1,2}$/.test(month!) || !/^\d{4}$/.test(year!)) return { fault: 'missing' }
  const value = `${year}-${month!.padStart(2, '0')}-${day!.padStart(2, '0')}`
  const date = new Date(`${value}T00:00:00Z`)
  const real = !Number.isNaN(date.getTime()) && date.toISOString().startsWith(value)
  return real && date.getTime() <= now && Number(year) >= 1880 ? { value } : { fault: 'not-real' }
}

/** A whole date that was pasted into one field, in the order of the fields or as `YYYY-MM-DD`; null when it is not one. */
export const splitPasted = (text: string, order: Part[]): Parts | null => {
  const numbers = text
    .trim()
    .split(/[^\d]+/)
    .filter(Boolean)
  const compact = /^(\d{4})(\d{2})(\d{2})$/.exec(text.trim())
  if (compact) return { year: compact[1]!, month: compact[2]!, day: compact[3]! }
  if (numbers.length !== 3) return null
  if (numbers[0]!.length === 4) return { year: numbers[0]!, month: numbers[1]!, day: numbers[2]! }
  const parts: Parts = { day: '', month: '', year: '' }
  order.forEach((part, index) => {
    parts[part] = numbers[index]!
  })
  return parts.year.length === 4 ? parts : null
}
