import type { Answer, Block } from './answer.ts'

/** A message's two forms (client-server API, m.text with org.matrix.custom.html). */
export type Rendered = { text: string; html: string }

const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
export const escapeHtml = (s: string): string => s.replace(/[&<>"']/g, c => escapes[c] ?? c)

/** Only our own room and event links become links; everything else stays words. */
const linked = (s: string): string =>
  unlinked(s).replace(/https:\/\/matrix\.to\/#\/[!#@$][^\s<&]*[^\s<&.,;:)]/g, url => `<a href="${url}">${url}</a>`)
const unlinked = (s: string): string => escapeHtml(s).replaceAll('\n', '<br>')

const plainTable = (head: readonly string[], rows: readonly (readonly string[])[]): string => {
  const width = head.map((h, i) => Math.max(h.length, ...rows.map(r => (r[i] ?? '').length)))
  const line = (cells: readonly string[]) =>
    cells
      .map((c, i) => c.padEnd(width[i] ?? 0))
      .join('  ')
      .trimEnd()
  return [head, ...rows].map(line).join('\n')
}

const plain = (b: Block): string => {
  switch (b.kind) {
    case 'text':
    case 'code':
    case 'heading':
      return b.text
    case 'list':
      return b.items.map(i => `• ${i}`).join('\n')
    case 'fields':
      return b.fields.map(([k, v]) => `${k}: ${v}`).join('\n')
    case 'terms':
      return b.terms.map(([k, v]) => `• ${k}\n  ${v}`).join('\n')
    case 'table':
      return plainTable(b.head, b.rows)
  }
}

type Words = (s: string) => string
const cells = (tag: 'th' | 'td', row: readonly string[], words: Words) =>
  `<tr>${row.map(c => `<${tag}>${words(c)}</${tag}>`).join('')}</tr>`

const html = (b: Block): string => {
  const words = b.literal ? unlinked : linked
  switch (b.kind) {
    case 'text':
      return `<p>${words(b.text)}</p>`
    case 'heading':
      return `<p><strong>${words(b.text)}</strong></p>`
    case 'code':
      return `<pre><code>${escapeHtml(b.text)}</code></pre>`
    case 'list':
      return `<ul>${b.items.map(i => `<li>${words(i)}</li>`).join('')}</ul>`
    case 'fields':
      return `<p>${b.fields.map(([k, v]) => `<strong>${words(k)}:</strong> ${words(v)}`).join('<br>')}</p>`
    case 'terms':
      return `<ul>${b.terms.map(([k, v]) => `<li><code>${escapeHtml(k)}</code><br>${words(v)}</li>`).join('')}</ul>`
    case 'table':
      return `<table><thead>${cells('th', b.head, words)}</thead><tbody>${b.rows.map(r => cells('td', r, words)).join('')}</tbody></table>`
  }
}

/** Turns an answer into words and into HTML in which everything that people typed is escaped. */
export const render = (a: Answer): Rendered => ({
  text: a.blocks.map(plain).join('\n\n'),
  html: a.blocks.map(html).join(''),
})
