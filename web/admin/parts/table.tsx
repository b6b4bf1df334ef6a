import type { ComponentChildren, JSX } from 'preact'
import { useState } from 'preact/hooks'
import { text } from '../text.ts'

export type Column<R> = {
  title: string
  cell: (row: R) => ComponentChildren
  /** Right-aligned figures. */
  figure?: true
}

type Props<R> = {
  caption: string
  columns: readonly Column<R>[]
  rows: readonly R[]
  /** On a phone each row is a card; otherwise the table stays one and scrolls sideways. */
  cards?: boolean
  /** More rows than these are shown on request. */
  first?: number
}

/** A table that a phone shows as cards: every cell carries its column's title. A wide one scrolls by itself, reachable with the keyboard. */
export const Table = <R,>({ caption, columns, rows, cards = true, first = 8 }: Props<R>): JSX.Element => {
  const [all, setAll] = useState(false)
  const cut = cards && !all && rows.length > first + 2
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable with the keyboard */}
      <section class="table-scroll" tabIndex={0} aria-label={caption}>
        <table class={cards ? 'cards' : ''}>
          <caption class="unseen">{caption}</caption>
          <thead>
            <tr>
              {columns.map(c => (
                <th key={c.title} scope="col" class={c.figure ? 'figure' : ''}>
                  {c.title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {(cut ? rows.slice(0, first) : rows).map((row, i) => (
              <tr key={i}>
                {columns.map((c, n) =>
                  n === 0 ? (
                    <th key={c.title} scope="row" data-title={c.title}>
                      <span>{c.cell(row)}</span>
                    </th>
                  ) : (
                    <td key={c.title} class={c.figure ? 'figure' : ''} data-title={c.title}>
                      <span>{c.cell(row)}</span>
                    </td>
                  ),
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {cut ? (
        <button type="button" class="plain small more" onClick={() => setAll(true)}>
          {text.allRows(rows.length)}
        </button>
      ) : null}
    </>
  )
}
