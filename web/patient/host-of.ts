/** The host in what a person typed or pasted: an address, or a whole text that holds one; null when there is none. The rest (a token) stays in the browser. */
export const hostOf = (typed: string): string | null => {
  const text = typed.trim()
  const found =
    /https?:\/\/[^\s<>"']+/i.exec(text)?.[0] ??
    text.split(/\s+/).find(word => /^[^\s@]+\.[a-z]{2,}(:\d+)?(\/|$)/i.test(word))
  if (found === undefined) return null
  const url = URL.parse(/^https?:/i.test(found) ? found : `https://${found}`)
  return url === null || url.hostname === '' ? null : url.host
}
