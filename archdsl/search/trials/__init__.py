"""Networks of a space tried one by one: trained for a short time, or with the weights of a supernet."""
