import type { ComponentChildren, JSX } from 'preact'

/** One fact of a list, under its name. */
export const Fact = ({ name, children }: { name: string; children: ComponentChildren }): JSX.Element => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
)

/** A list of facts in words. */
export const Facts = ({ facts }: { facts: readonly (readonly [name: string, value: string])[] }): JSX.Element => (
  <dl class="facts">
    {facts.map(([name, value]) => (
      <Fact key={name} name={name}>
        {value}
      </Fact>
    ))}
  </dl>
)
