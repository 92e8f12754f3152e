// Command hello stands in for the scaler.
package main

func main() { println("hello") }
