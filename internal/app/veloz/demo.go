package veloz

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
)

// demoCatalogue is what --demo loads.
var demoCatalogue = []struct {
	item  inventory.Item
	stock int64
}{
	{inventory.Item{SKU: "CAFE-500G", Name: "Café torrado em grãos, 500 g", Price: 3990, LowStockThreshold: 50}, 5000},
	{inventory.Item{SKU: "CANECA-AZUL", Name: "Caneca esmaltada azul", Price: 2990, LowStockThreshold: 20}, 800},
	{inventory.Item{SKU: "CAMISETA-P", Name: "Camiseta Veloz, tamanho P", Price: 7990, LowStockThreshold: 20}, 300},
	{inventory.Item{SKU: "CAMISETA-M", Name: "Camiseta Veloz, tamanho M", Price: 7990, LowStockThreshold: 20}, 300},
	{inventory.Item{SKU: "TENIS-42", Name: "Tênis de corrida, número 42", Price: 45990, LowStockThreshold: 5}, 40},
	{inventory.Item{SKU: "FONE-BT", Name: "Fone de ouvido Bluetooth", Price: 19990, LowStockThreshold: 10}, 120},
	{inventory.Item{SKU: "TV-55", Name: "Televisor 55 polegadas", Price: 279900, LowStockThreshold: 2}, 10},
	{inventory.Item{SKU: "ULTIMA-UNIDADE", Name: "A última unidade", Price: 100, LowStockThreshold: 0}, 1},
}

// loadDemo puts the catalogue in, once: what exists already is left as it is.
func loadDemo(ctx context.Context, service *inventory.Service) error {
	for _, demo := range demoCatalogue {
		_, err := service.Item(ctx, demo.item.SKU)
		if errors.Is(err, inventory.ErrNotFound) {
			_, err = service.PutItem(ctx, demo.item)
		}
		if err != nil {
			return fmt.Errorf("load the demo's catalogue: %w", err)
		}
		// The key is the same at every start, so the stock is added once, even when a start dies between the two.
		key := sha256.Sum256([]byte("demo stock of " + string(demo.item.SKU)))
		_, err = service.Adjust(ctx, inventory.NewAdjustment{Key: key, Fingerprint: key,
			Adjustment: inventory.Adjustment{SKU: demo.item.SKU, Delta: demo.stock, Reason: "demo"}})
		if err != nil {
			return fmt.Errorf("load the demo's stock: %w", err)
		}
	}
	return nil
}
