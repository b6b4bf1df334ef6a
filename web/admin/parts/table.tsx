import type { ComponentChildren, JSX } from 'preact'

export type Column<R> = {
  title: string
  cell: (row: R) => ComponentChildren
  /** Right-aligned figures. */
  figure?: true
}

/** A table that a phone shows as cards: every cell carries its column's title. Wide ones scroll by themselves, reachable with the keyboard. */
export const Table = <R,>({
  caption,
  columns,
  rows,
  cards = true,
}: {
  caption: string
  columns: readonly Column<R>[]
  rows: readonly R[]
  cards?: boolean
}): JSX.Element => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable with the keyboard
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
        {rows.map((row, i) => (
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
)
