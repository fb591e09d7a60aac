"""What a panel's recruit is, to the marketplace and to the requester alike: values, signatures, pay. No I/O."""
