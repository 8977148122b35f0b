package node

import "context"

type freshness struct{}

func (n *Node) openFreshness(ctx context.Context) error { return nil }
func (n *Node) keepFreshness(ctx context.Context) error { <-ctx.Done(); return nil }
func (n *Node) saveFreshness(ctx context.Context) error { return nil }
