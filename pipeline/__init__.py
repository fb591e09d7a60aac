"""The only place where the market, the labels, the engines and the person meet."""
