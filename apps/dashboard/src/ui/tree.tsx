import type { ReactNode } from 'react';
import { Tree as AriaTree, Button, Collection, TreeItem, TreeItemContent } from 'react-aria-components';
import { Icon } from './icons.tsx';
import './tree.css';

export interface TreeNode<Value> {
  readonly id: string;
  /** For typing ahead and for screen readers. */
  readonly text: string;
  readonly value: Value;
  readonly children: readonly TreeNode<Value>[];
}

/** A tree of rows: arrows walk it, Enter opens a row. All rows are open at first. */
export function Tree<Value>({
  label,
  nodes,
  selected,
  onOpen,
  children,
}: {
  readonly label: string;
  readonly nodes: readonly TreeNode<Value>[];
  /** The row that is shown as the current one. */
  readonly selected: string | null;
  readonly onOpen: (id: string) => void;
  /** The content of a row, actions included. */
  readonly children: (node: TreeNode<Value>) => ReactNode;
}) {
  const item = (node: TreeNode<Value>): ReactNode => (
    <TreeItem key={node.id} id={node.id} textValue={node.text} className="ui-tree-item">
      <TreeItemContent>
        <span className={node.id === selected ? 'ui-tree-row ui-tree-row-current' : 'ui-tree-row'}>
          {node.children.length > 0 ? (
            <Button slot="chevron" className="ui-tree-chevron">
              <Icon name="right" size={12} />
            </Button>
          ) : (
            <span className="ui-tree-chevron" />
          )}
          {children(node)}
        </span>
      </TreeItemContent>
      <Collection items={node.children}>{item}</Collection>
    </TreeItem>
  );
  return (
    <AriaTree
      aria-label={label}
      className="ui-tree"
      items={nodes}
      defaultExpandedKeys={idsOf(nodes)}
      selectionMode="none"
      onAction={(key) => onOpen(String(key))}
    >
      {item}
    </AriaTree>
  );
}

function idsOf<Value>(nodes: readonly TreeNode<Value>[]): readonly string[] {
  return nodes.flatMap((node) => [node.id, ...idsOf(node.children)]);
}
